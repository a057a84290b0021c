package googledoor

import (
	"errors"
	"io"
	"net/http"
)

// MostOfAnswer bounds one answer, in bytes: a list of a thousand rules is a twentieth of it.
const MostOfAnswer = 16 << 20

// bounded cuts every answer off, with an error, where it is longer than MostOfAnswer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(req)
	if err == nil {
		res.Body = &body{ReadCloser: res.Body, left: MostOfAnswer}
	}
	return res, err
}

type body struct {
	io.ReadCloser
	left int
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return 0, errors.New("answer too long")
	}
	return n, err
}
