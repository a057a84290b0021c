//go:build !linux

package postgres

import "os/exec"

// mortal: elsewhere a server outlives a test that is killed.
func mortal(*exec.Cmd) {}
