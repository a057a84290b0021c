package reach

import (
	"net/http"
	"strconv"
	"time"
)

// RetryAfter returns how long an answer asks to wait, in seconds or until a date, which counts from the answer's own (RFC
// 9110, sections 10.2.3 and 6.6.1): at most so long, and zero where it does not say, or says nothing a clock could follow.
func RetryAfter(h http.Header, most time.Duration) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(max(0, min(seconds, int(most/time.Second)))) * time.Second
	}
	until, err := http.ParseTime(value)
	sent, unsent := http.ParseTime(h.Get("Date"))
	if err != nil || unsent != nil {
		return 0
	}
	return max(0, min(until.Sub(sent), most))
}
