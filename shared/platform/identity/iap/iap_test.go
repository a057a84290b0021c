package iap_test

import (
	"testing"
	"time"

	"ostiary.internal/shared/platform/identity/iap"
	"ostiary.internal/shared/platform/identity/identitytest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	identitytest.Run(t, identitytest.Kind{
		URL:       "iap:",
		Audience:  "/projects/123456789/global/backendServices/987654321",
		Issuers:   []string{iap.Issuer},
		Keys:      iap.Keys,
		Algorithm: "ES256",
		Claims: map[string]any{
			"sub": "accounts.google.com:112233445566778899001", "hd": "labelsync.example", "identity_source": "GOOGLE",
		},
		MayBeSilent:  true,
		LongestLived: time.Hour,
	})
}
