package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/reach"
	"ostiary.internal/shared/platform/web/strictjson"
)

// Sign returns the value of the header Ostiary-Signature for a call ("find"), its Ostiary-Time and its body.
func Sign(secret []byte, unix, call string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	for _, part := range []string{unix, "\n", call, "\n"} {
		_, _ = io.WriteString(mac, part) // a hash takes everything
	}
	_, _ = mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// errMissing is met where the service does not have a call (501).
var errMissing = errors.New("the service does not have this call")

// call asks and reads the answer into a pointer. doing is for the error.
func (h *Hook) call(ctx context.Context, doing, call string, request any, answer interface{ current() bool }) error {
	body, err := json.Marshal(request)
	if err != nil || len(body) > maxBody {
		return fault.New(fault.Invalid, "%s: the request cannot be written, or is too long", doing)
	}
	secret, err := h.read(ctx, h.secret)
	if err != nil {
		return err
	}
	if len(secret) < minSecret {
		return fault.New(fault.Misconfigured, "%s: the secret %q has less than %d bytes", doing, h.secret, minSecret)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.base+"/"+call, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Misconfigured, "%s: the hook's address cannot be one", doing)
	}
	unix := strconv.FormatInt(h.clock.Now().Unix(), 10)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "ostiary")
	r.Header.Set(timeHeader, unix)
	r.Header.Set(signHeader, Sign(secret, unix, call, body))
	got, err := h.client.Do(r)
	if err != nil {
		return unreachable(doing, err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return refused(doing, got)
	}
	text, err := io.ReadAll(io.LimitReader(got.Body, maxBody+1))
	if err != nil {
		return unreachable(doing, err)
	}
	if len(text) > maxBody {
		return broken(doing, "the answer is too long")
	}
	if _, err := strictjson.Decode(text, maxDepth, answer); err != nil || !answer.current() { // the error may quote the answer
		return broken(doing, "the answer is not of its form, or of another version")
	}
	return nil
}

// broken: the service answers, and not as the protocol has it. Nothing of the answer is used.
func broken(doing, what string) error {
	return fault.New(fault.Misconfigured, "%s: %s", doing, what)
}

// unreachable keeps of err what says nothing of the request.
func unreachable(doing string, err error) error {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return fault.New(fault.Transient, "%s: %w", doing, cause)
		}
	}
	_, untrusted := errors.AsType[x509.UnknownAuthorityError](err)
	_, misnamed := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case errors.Is(err, reach.ErrOutOfReach):
		return fault.New(fault.Misconfigured, "%s: %w", doing, reach.ErrOutOfReach)
	case untrusted || misnamed || invalid:
		return fault.New(fault.Misconfigured, "%s: the hook's certificate is not trusted", doing)
	}
	return fault.New(fault.Transient, "%s: the hook is out of reach, or the connection ended", doing)
}

// refused gives an answer other than 200 its kind.
func refused(doing string, got *http.Response) error {
	kind := fault.Misconfigured
	switch status := got.StatusCode; {
	case status == http.StatusNotImplemented:
		return &fault.Error{Kind: fault.Invalid, Err: errors.Join(errors.New(doing), errMissing)}
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		kind = fault.Invalid
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		kind = fault.Denied
	case status == http.StatusNotFound:
		kind = fault.NotFound
	case status == http.StatusTooManyRequests:
		kind = fault.Exhausted
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusConflict:
		kind = fault.Transient
	}
	e := fault.Error{Kind: kind, Err: errors.New(doing + ": the hook answers " + strconv.Itoa(got.StatusCode))}
	if kind == fault.Exhausted || kind == fault.Transient {
		e.RetryAfter = reach.RetryAfter(got.Header, 24*time.Hour)
	}
	return &e
}
