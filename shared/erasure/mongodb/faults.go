package mongodb

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"ostiary.internal/shared/platform/fault"
)

// kinds says what the codes of the server's errors mean (MongoDB, error codes). A code that is not listed is Invalid,
// for the same command will meet it again.
var kinds = map[int]fault.Kind{
	13: fault.Denied, 18: fault.Denied, 8000: fault.Denied, // Unauthorized, AuthenticationFailed, AtlasError
	26: fault.NotFound, // NamespaceNotFound
	// ExceededMemoryLimit, OutOfDiskSpace, TooManyRequests of services that speak the protocol
	146: fault.Exhausted, 14031: fault.Exhausted, 16500: fault.Exhausted, 462: fault.Exhausted,
	// HostUnreachable, HostNotFound, LockTimeout, LockBusy, MaxTimeMSExpired, WriteConcernFailed, NetworkTimeout,
	// ShutdownInProgress, WriteConflict
	6: fault.Transient, 7: fault.Transient, 24: fault.Transient, 46: fault.Transient, 50: fault.Transient, 64: fault.Transient, 89: fault.Transient,
	91: fault.Transient, 112: fault.Transient,
	// PrimarySteppedDown, NetworkInterfaceExceededTimeLimit, LockFailed, ExceededTimeLimit, SocketException
	189: fault.Transient, 202: fault.Transient, 107: fault.Transient, 262: fault.Transient, 9001: fault.Transient,
	// NotWritablePrimary, InterruptedAtShutdown, Interrupted, InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk,
	// NotPrimaryOrSecondary
	10107: fault.Transient, 11600: fault.Transient, 11601: fault.Transient, 11602: fault.Transient, 13435: fault.Transient, 13436: fault.Transient,
}

// explain gives err the kind that its cause says. Of what the server said it keeps the code: the words may quote a value.
func explain(doing string, err error) error {
	if _, ours := errors.AsType[*fault.Error](err); ours || err == nil {
		return err
	}
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return fault.New(fault.Transient, "%s: %w", doing, cause)
		}
	}
	if mongo.IsTimeout(err) {
		return fault.New(fault.Transient, "%s: its time was over", doing)
	}
	// Calls that wait for a connection while another one's password is refused are told so in words alone.
	if strings.Contains(err.Error(), "(AuthenticationFailed)") {
		return fault.New(fault.Denied, "%s: the server refuses the password", doing)
	}
	if answer, ok := errors.AsType[mongo.ServerError](err); ok {
		codes := answer.ErrorCodes()
		for _, code := range codes {
			if kind, known := kinds[code]; known {
				return fault.New(kind, "%s: the server answers code %d", doing, code)
			}
		}
		if again(answer) {
			return fault.New(fault.Transient, "%s: the server answers codes %d", doing, codes)
		}
		return fault.New(fault.Invalid, "%s: the server answers codes %d", doing, codes)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fault.New(fault.Misconfigured, "%s: the server's certificate is not trusted", doing)
	}
	return fault.New(fault.Transient, "%s: the server is out of reach, or the connection ended", doing)
}

// again reports whether the server, or the driver in its name, says that the same may go well later.
func again(answer mongo.ServerError) bool {
	for _, label := range []string{"NetworkError", "RetryableWriteError", "RetryableError", "TransientTransactionError", "SystemOverloadedError"} {
		if answer.HasErrorLabel(label) {
			return true
		}
	}
	return false
}
