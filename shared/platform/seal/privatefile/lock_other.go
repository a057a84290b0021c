//go:build !unix

package privatefile

// Lock does nothing here: on this system one process at a time may write the file.
func Lock(string) (unlock func(), err error) { return func() {}, nil }

func syncFolder(string) error { return nil }
