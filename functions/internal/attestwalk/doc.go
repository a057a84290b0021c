// Package attestwalk goes through the pages of the function attest in a real Chromium, as the people who owe, review, sign
// and approve something do. It holds tests only.
package attestwalk
