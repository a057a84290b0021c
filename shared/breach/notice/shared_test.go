package notice_test

import (
	"slices"
	"testing"
	"time"

	"ostiary.internal/shared/breach/notice"
	"ostiary.internal/shared/platform/message"
	"ostiary.internal/shared/policy"
)

// TestSharedWays: a webhook or a telephone several contacts of a tenant name is used for the first of them alone; the others
// are told by their next way.
func TestSharedWays(t *testing.T) {
	t.Parallel()
	const hook, phone = "https://hooks.example/x", "+33123456789"
	all, err := notice.Recipients(policy.Tenant{ID: "a", Name: "A", Contacts: []policy.Contact{
		{Role: policy.Privacy, Email: "p@a.example", Channels: []string{notice.SMS, notice.Webhook, message.Mail}, Webhook: hook, Phone: phone},
		{Role: policy.AroundTheClock, Email: "n@a.example", Channels: []string{notice.SMS, notice.Webhook}, Webhook: hook, Phone: phone},
		{Role: policy.SecurityContact, Email: "s@a.example", Channels: []string{notice.Webhook}, Webhook: hook},
	}}, time.Now())
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	for i, want := range [][]notice.Way{
		{{Channel: notice.SMS, To: phone}, {Channel: notice.Webhook, To: hook}}, {{Channel: message.Mail, To: "s@a.example"}}, {{Channel: message.Mail, To: "p@a.example"}},
	} {
		if !slices.Equal(all[i].Ways, want) {
			t.Errorf("%s: %v, want %v", all[i].Address, all[i].Ways, want)
		}
	}
}
