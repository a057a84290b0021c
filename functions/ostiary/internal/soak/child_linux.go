package main

import (
	"os/exec"
	"syscall"
)

// bound has the process end with the thread that started it, however this program ends.
func bound(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
