package postgres

import (
	"os/exec"
	"syscall"
)

// mortal lets the kernel end a child with the thread that starts it, however that one dies.
func mortal(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL }
