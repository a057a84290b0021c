package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"ostiary.internal/shared/platform/bus"
)

// project stands where a Google Cloud project's id stands in the names of real subscriptions.
const project = "ostiary-local"

// grace is how long a handler whose time is up may take to return before it is left to itself.
const grace = time.Second

// panicked stands in for a status: a server would have closed the connection.
const panicked = -1

// pushed is the body of a wrapped push, with both spellings Pub/Sub writes.
type pushed struct {
	Message struct {
		Attributes  map[string]string `json:"attributes,omitempty"`
		Data        []byte            `json:"data"`
		MessageID   string            `json:"messageId"`
		MessageID2  string            `json:"message_id"`
		PublishTime time.Time         `json:"publishTime"`
		Published2  time.Time         `json:"publish_time"`
	} `json:"message"`
	Subscription    string `json:"subscription"`
	DeliveryAttempt int    `json:"deliveryAttempt"`
}

func body(e entry) ([]byte, error) {
	var p pushed
	p.Message.Attributes, p.Message.Data = e.Attributes, e.Data
	p.Message.MessageID, p.Message.MessageID2 = e.ID, e.ID
	p.Message.PublishTime, p.Message.Published2 = e.Published, e.Published
	p.Subscription = "projects/" + project + "/subscriptions/" + bus.Subscription(e.Function, e.Topic)
	p.DeliveryAttempt = e.Attempts + 1
	return json.Marshal(p)
}

// push delivers an entry once. It returns "" when the message was acknowledged, otherwise what happened instead.
func (t Target) push(ctx context.Context, e entry) (why string) {
	handler := t.Handler(e.Function)
	if handler == nil {
		return "there is no such function here"
	}
	ctx, cancel := context.WithTimeout(ctx, AttemptTimeout)
	defer cancel()
	r, err := t.request(ctx, e)
	if err != nil {
		return err.Error()
	}
	answered := make(chan int, 1) // holds one: a handler that is left to itself must not hang here
	go func() {
		status := panicked
		defer func() { recover(); answered <- status }()
		a := answer{header: http.Header{}}
		handler.ServeHTTP(&a, r)
		status = max(a.status, http.StatusOK)
	}()
	var status int
	select {
	case status = <-answered:
	case <-ctx.Done():
		select {
		case status = <-answered:
		case <-time.After(grace):
			return "no answer in time"
		}
	}
	switch status {
	case panicked:
		return "the handler panicked"
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return ""
	}
	return fmt.Sprintf("answered %d", status)
}

func (t Target) request(ctx context.Context, e entry) (*http.Request, error) {
	payload, err := body(e)
	if err != nil {
		return nil, fmt.Errorf("writing the push body: %w", err)
	}
	path := "/" + e.Function + "/events"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+path, bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("making the push request: %w", err)
	}
	r.RequestURI, r.RemoteAddr = path, "127.0.0.1:0" // a server's request has them
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "CloudPubSub-Google")
	if t.Authorization != nil {
		value, err := t.Authorization(ctx, e.Function)
		if err != nil {
			return nil, fmt.Errorf("signing the push: %w", err)
		}
		r.Header.Set("Authorization", value)
	}
	return r, nil
}

// answer keeps the status of an answer and drops the rest.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	// Informational answers precede the real one; a handler that writes nothing else ends with 200, so that 102
	// acknowledges here too.
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return len(p), nil
}
