package wiring

import (
	"context"

	"ostiary.internal/shared/evidence/vault"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/seal"
)

// ForgettingVault is OpenVault for who only erases: it needs no key, and nothing can be opened or kept with it.
func (d *Deps) ForgettingVault() (*vault.Vault, error) {
	if d.Vault == nil {
		return nil, fault.New(fault.Misconfigured, "%s: the manifest does not ask for %s", d.Manifest.Name, EnvVault)
	}
	return d.vault(keyless{})
}

func (d *Deps) vault(keys seal.Keys) (*vault.Vault, error) {
	return vault.New(vault.Config{
		Store: d.Vault, Box: d.box(d.Vault), Keys: keys, Random: d.Random,
		Horizon: vault.LongestBackup, Promises: d.Promises(vault.Control), Policy: d.PolicyDigest(),
	})
}

// keyless stands where there is no key.
type keyless struct{}

func none() error {
	return fault.New(fault.Denied, "using the key of the vault: this function only erases")
}

func (keyless) Wrap(context.Context, []byte, []byte) ([]byte, string, error) { return nil, "", none() }

func (keyless) Unwrap(context.Context, []byte, []byte) ([]byte, error) { return nil, none() }

func (keyless) Close() error { return nil }
