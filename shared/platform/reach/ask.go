package reach

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// Failed says why there is no answer of a peer's to read.
type Failed struct {
	Why   string        // out_of_reach, unreachable, busy or redirected
	Again bool          // the same may be sent again
	After time.Duration // how long the peer asks to wait before that
}

// Ask sends a request and reads the answer, of which it keeps so many bytes. Nothing of a client's error is kept, whose text may
// hold the URL. Statuses 408, 429 and from 500 on are busy, for which the peer may ask to wait, at most so long.
func Ask(client *http.Client, r *http.Request, most int64, wait time.Duration) (*http.Response, []byte, *Failed) {
	answer, err := client.Do(r)
	if errors.Is(err, ErrOutOfReach) {
		return nil, nil, &Failed{Why: "out_of_reach"}
	}
	if err != nil {
		return nil, nil, &Failed{Why: "unreachable", Again: true}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		return nil, nil, &Failed{Why: "unreachable", Again: true}
	}
	switch code := answer.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return nil, nil, &Failed{Why: "busy", Again: true, After: RetryAfter(answer.Header, wait)}
	case code >= 300 && code < 400:
		return nil, nil, &Failed{Why: "redirected"}
	}
	return answer, body, nil
}
