package parts

import (
	"context"
	"strings"
	"time"

	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/policy"
)

// forgetting makes worthless what the vault keeps of somebody who worked here: by her id, and by the address that logs and
// customers' machines know her by. It reports whether there was anything.
func forgetting(v *vault.Vault) func(ctx context.Context, p policy.Person, now time.Time) (bool, error) {
	return func(ctx context.Context, p policy.Person, now time.Time) (any bool, err error) {
		subjects := []vault.Subject{{Type: "person", ID: p.ID}}
		if p.Email != "" {
			subjects = append(subjects, vault.Subject{Type: "account", ID: p.Email}, vault.Subject{Type: "person", ID: strings.ToLower(p.Email)})
		}
		for _, one := range subjects {
			erased, err := v.Erase(ctx, one, vault.Outlived, now)
			if err != nil {
				return any, err
			}
			any = any || erased.State != vault.Nothing
		}
		return any, nil
	}
}
