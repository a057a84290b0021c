package google_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/platform/identity/google"
	"ostiary.internal/shared/platform/identity/identitytest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	identitytest.Run(t, identitytest.Kind{
		URL:          "google:",
		Audience:     "https://checkotp.labelsync.example",
		Issuers:      []string{google.Issuer, google.BareIssuer},
		Keys:         google.Keys,
		Algorithm:    "RS256",
		Claims:       map[string]any{"sub": "112233445566778899001", "email_verified": true},
		ChecksParty:  true,
		LongestLived: time.Hour,
	})
}
