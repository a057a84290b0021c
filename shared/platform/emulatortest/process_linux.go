package emulatortest

import (
	"os/exec"
	"syscall"
)

// isolate gives the command a group of its own, so that a signal reaches its children too and an interrupt at the
// terminal does not, and lets the kernel end it with the test process, however that one dies.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func terminate(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

func halt(cmd *exec.Cmd) bool { return syscall.Kill(-cmd.Process.Pid, syscall.SIGSTOP) == nil }

func proceed(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGCONT) }
