// Package trustwalk reads the trust page in Chromium as people do: on a phone and at a desk, by keyboard, in the dark,
// without scripts, in print and as a saved file, and lets axe-core look at it. It holds tests only.
package trustwalk
