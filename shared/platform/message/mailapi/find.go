package mailapi

import (
	"context"
	"encoding/json"
	"net/url"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

var _ message.Finder = (*Channel)(nil)

// Find asks the provider whether it took a message, by the key each carries. Only an answer with that key is believed; one without
// is Invalid, as from a provider that cannot be asked so.
func (c *Channel) Find(ctx context.Context, id string) (message.Trace, error) {
	at, err := url.Parse(c.Endpoint)
	if err != nil {
		return message.TraceSilent, fault.New(fault.Misconfigured, "asking the mail API: the endpoint is no URL")
	}
	query := at.Query()
	query.Set("idempotency_key", id)
	at.RawQuery = query.Encode()
	header, err := c.authorization(ctx)
	if err != nil {
		return message.TraceSilent, err
	}
	said, err := c.client.Get(ctx, at.String(), header)
	absent := fault.Is(err, fault.NotFound)
	if err != nil && !absent {
		return message.TraceSilent, err
	}
	var got struct {
		ID  string `json:"id"`
		Key string `json:"idempotency_key"`
	}
	// The decoder's own error may quote the answer: it stays out of ours.
	if json.Unmarshal(said, &got) != nil || id == "" || got.Key != id || absent == (got.ID != "") {
		return message.TraceSilent, fault.New(fault.Invalid, `asking the mail API: the answer is not {"id", "idempotency_key"} of the message`)
	}
	if absent {
		return message.TraceNone, nil
	}
	message.WireOf(ctx).Named(got.ID)
	return message.TraceTaken, nil
}
