package hook

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"path"
	"strconv"

	"ostiary.internal/shared/erasure"
	"ostiary.internal/shared/platform/clock"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web/strictjson"
)

// Handler serves the protocol in front of a store, for whoever signs with the secret, at any base path. It says nothing
// about an error but its status. Misconfigured for a secret of less than 32 bytes.
func Handler(store erasure.Store, secret []byte, clk clock.Clock) (http.Handler, error) {
	if len(secret) < minSecret {
		return nil, fault.New(fault.Misconfigured, "serving a hook: the secret has less than %d bytes", minSecret)
	}
	s := service{store}
	calls := map[string]func(ctx context.Context, body []byte) (any, error){
		"find": answering(s.find), "erase": answering(s.erase), "values": answering(s.values),
		"group": answering(s.group), "places": answering(s.places), "traces": answering(s.traces),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		call, known := calls[name]
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		switch {
		case err != nil:
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		case !signed(r, secret, clk, name, body):
			w.WriteHeader(http.StatusUnauthorized)
		case !known || r.Method != http.MethodPost:
			w.WriteHeader(http.StatusNotImplemented)
		default:
			reply(w, r.Context(), call, body)
		}
	}), nil
}

func signed(r *http.Request, secret []byte, clk clock.Clock, call string, body []byte) bool {
	unix := r.Header.Get(timeHeader)
	at, err := strconv.ParseInt(unix, 10, 64)
	right := hmac.Equal([]byte(r.Header.Get(signHeader)), []byte(Sign(secret, unix, call, body)))
	return err == nil && right && math.Abs(float64(clk.Now().Unix()-at)) <= skew.Seconds()
}

func reply(w http.ResponseWriter, ctx context.Context, call func(context.Context, []byte) (any, error), body []byte) {
	answer, err := call(ctx, body)
	text, wrong := json.Marshal(answer)
	if err = errors.Join(err, wrong); err == nil {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(text) // who asked is gone
		return
	}
	e, _ := errors.AsType[*fault.Error](err)
	if e != nil && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	status, known := statuses[fault.KindOf(err)]
	if !known {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
}

var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.Denied: http.StatusForbidden, fault.NotFound: http.StatusNotFound,
	fault.Exhausted: http.StatusTooManyRequests, fault.Transient: http.StatusServiceUnavailable, fault.Conflict: http.StatusConflict,
}

// answering decodes a request of one call.
func answering[Request interface{ current() bool }, Answer any](do func(context.Context, Request) (Answer, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, body []byte) (any, error) {
		var request Request
		if _, err := strictjson.Decode(body, maxDepth, &request); err != nil || !request.current() {
			return nil, fault.New(fault.Invalid, "reading a request: it is not of its form, or of another version")
		}
		return do(ctx, request)
	}
}

type service struct{ store erasure.Store }

func (s service) find(ctx context.Context, r FindRequest) (FindAnswer, error) {
	page, err := s.store.Find(ctx, r.Query.query(), r.Cursor, r.Limit)
	answer := FindAnswer{Head: head, Items: []Item{}, Next: page.Next}
	for _, i := range page.Items {
		answer.Items = append(answer.Items, itemToWire(i))
	}
	return answer, err
}

func (s service) erase(ctx context.Context, r EraseRequest) (EraseAnswer, error) {
	var items []erasure.Item
	for _, i := range r.Items {
		items = append(items, i.item())
	}
	results, err := s.store.Erase(ctx, r.Query.query(), items)
	answer := EraseAnswer{Head: head, Results: []Result{}}
	for _, result := range results {
		answer.Results = append(answer.Results, Result{result.Ref, string(result.Outcome), optional(result.Until)})
	}
	return answer, err
}

func (s service) values(ctx context.Context, r ValuesRequest) (ValuesAnswer, error) {
	values, err := s.store.Values(ctx, r.Query.query(), r.Field, r.Limit)
	return ValuesAnswer{Head: head, Values: append([]string{}, values...)}, err
}

func (s service) group(ctx context.Context, r GroupRequest) (GroupAnswer, error) {
	smallest, err := s.store.Group(ctx, r.Query.query(), r.Fields)
	return GroupAnswer{Head: head, Smallest: smallest}, err
}

func (s service) places(ctx context.Context, r PlacesRequest) (PlacesAnswer, error) {
	places, err := s.store.Places(ctx, r.Limit)
	return PlacesAnswer{Head: head, Places: append([]string{}, places...)}, err
}

func (s service) traces(ctx context.Context, _ TracesRequest) (TracesAnswer, error) {
	t, err := s.store.Traces(ctx)
	return TracesAnswer{Head: head, SoftDelete: int64(t.SoftDelete.Seconds()), Rewind: int64(t.Rewind.Seconds()), Unknown: t.Unknown}, err
}
