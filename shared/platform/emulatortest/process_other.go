//go:build !linux

package emulatortest

import "os/exec"

// Other systems have no parent-death signal: there the emulators end through Main alone.

func isolate(*exec.Cmd) {}

func terminate(cmd *exec.Cmd) { kill(cmd) }

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func halt(*exec.Cmd) bool { return false }

func proceed(*exec.Cmd) {}
