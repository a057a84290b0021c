package reach

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const now, later, before = "Tue, 03 Mar 2026 08:55:00 GMT", "Tue, 03 Mar 2026 08:57:00 GMT", "Tue, 03 Mar 2026 08:54:00 GMT"
	for _, c := range []struct {
		says, date string
		want       time.Duration
	}{
		{"120", "", 2 * time.Minute}, {"0", now, 0}, {"-5", now, 0}, {"31536000000", "", time.Hour}, {"99999999999999999999", now, 0}, {"", now, 0},
		{later, now, 2 * time.Minute}, {before, now, 0}, {later, "", 0}, {later, "yesterday", 0}, {"Sat, 01 Jan 2050 00:00:00 GMT", now, time.Hour}, {"soon", now, 0}, {"1.5", now, 0},
	} {
		h := http.Header{"Retry-After": {c.says}, "Date": {c.date}}
		if got := RetryAfter(h, time.Hour); got != c.want {
			t.Errorf("%q at %q is %s, want %s", c.says, c.date, got, c.want)
		}
	}
}
