package deliver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ostiary.internal/functions/internal/wiring"
	"ostiary.internal/shared/breach"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/platform/message/chat"
	"ostiary.internal/shared/platform/message/sms"
	"ostiary.internal/shared/platform/message/webhook"
	"ostiary.internal/shared/policy"
)

// Variables that name the channels messages leave by. There is no function without mail, by smtp: or mailapi:; any other may be left empty, and
// whoever asks for it is told at once that it is not configured.
const (
	EnvMail    = "OSTIARY_MESSAGE"
	EnvWebhook = "OSTIARY_MESSAGE_WEBHOOK"
	EnvSMS     = "OSTIARY_MESSAGE_SMS"
	EnvChat    = "OSTIARY_MESSAGE_CHAT"
)

// open opens the channels by name.
func open(ctx context.Context, d *wiring.Deps) (map[string]message.Channel, error) {
	channels := map[string]message.Channel{}
	for _, c := range []struct{ name, variable string }{{message.Mail, EnvMail}, {webhook.Name, EnvWebhook}, {sms.Name, EnvSMS}, {chat.Name, EnvChat}} {
		url, set := d.Env(c.variable)
		if !set || url == "" {
			if c.name == message.Mail {
				return nil, fault.New(fault.Misconfigured, "%s is not set", c.variable)
			}
			continue
		}
		channel, err := message.Drivers.Open(ctx, url, message.Options{Clock: d.Clock, Secrets: d.Secrets})
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", c.variable, err)
		}
		d.Keep(channel)
		channels[c.name] = channel
	}
	return channels, nil
}

// resolver finds addresses in a policy: of a person, and of a contact TENANT/ROLE, the first of that role that is to be
// reached by the channel. A person's telephone number is the one of breach.yaml's list of other ways.
func resolver(b breach.Policy, p *policy.Policy) func(ctx context.Context, r message.Request) (string, error) {
	others := b.OutOfBand
	return func(_ context.Context, r message.Request) (address string, err error) {
		if tenant, role, ok := strings.Cut(r.Contact, "/"); ok {
			address = contact(p, tenant, role, r.Channel)
		} else if person, known := p.PersonByID(r.Person); known {
			address = map[string]string{message.Mail: person.Email, sms.Name: number(others, person.ID), chat.Name: chat.Staff}[r.Channel]
		}
		if address == "" {
			return "", fault.New(fault.NotFound, "finding the recipient of a message: the policy has no such person or contact, or none to be reached that way")
		}
		return address, nil
	}
}

func number(others []breach.Other, person string) string {
	at := slices.IndexFunc(others, func(o breach.Other) bool { return o.Person == person && o.Channel == sms.Name })
	if at < 0 {
		return ""
	}
	return others[at].To
}

func contact(p *policy.Policy, tenant, role, channel string) string {
	t, _ := p.Tenant(tenant)
	for _, c := range t.Contacts {
		if string(c.Role) == role && slices.Contains(c.Channels, channel) {
			return map[string]string{message.Mail: c.Email, webhook.Name: c.Webhook, sms.Name: c.Phone, chat.Name: t.ID}[channel]
		}
	}
	return ""
}
