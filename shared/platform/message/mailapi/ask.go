package mailapi

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
)

// known is what a provider calls a message, as far as it may stand in a path.
var known = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$`)

var _ message.Asker = (*Channel)(nil)

// Ask asks the provider for the last it knows of a message. Who complained has it. What the provider does not know, such as
// where it forgets sooner than we ask, is undetermined and no error.
func (c *Channel) Ask(ctx context.Context, reference string) (message.Fate, error) {
	if !known.MatchString(reference) {
		return message.FateUndetermined, fault.New(fault.Invalid, "asking the mail API: what it calls the message is malformed")
	}
	header, err := c.authorization(ctx)
	if err != nil {
		return message.FateUndetermined, err
	}
	said, err := c.client.Get(ctx, strings.TrimSuffix(c.Endpoint, "/")+"/"+url.PathEscape(reference), header)
	if fault.Is(err, fault.NotFound) {
		return message.FateUndetermined, nil
	}
	if err != nil {
		return message.FateUndetermined, err
	}
	var got struct {
		ID    string `json:"id"`
		Event string `json:"last_event"`
	}
	// The decoder's own error may quote the answer: it stays out of ours.
	if json.Unmarshal(said, &got) != nil || got.Event == "" {
		return message.FateUndetermined, fault.New(fault.Invalid, `asking the mail API: the answer is not {"id", "last_event"}`)
	}
	if got.ID != reference {
		return message.FateUndetermined, fault.New(fault.Invalid, "asking the mail API: the answer is about another message")
	}
	switch got.Event {
	case "delivered", "complained":
		return message.FateDelivered, nil
	case "bounced", "suppressed", "failed":
		return message.FateBounced, nil
	}
	return message.FateAccepted, nil
}
