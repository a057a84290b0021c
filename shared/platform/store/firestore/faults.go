package firestore

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ostiary.internal/shared/platform/fault"
)

func aborted(err error) bool { return status.Code(err) == codes.Aborted }

// classify gives an error of the client its kind; nil stays nil. Codes and their meaning:
// https://cloud.google.com/firestore/docs/understand-error-codes
func classify(err error) error {
	if err == nil {
		return nil
	}
	switch code := status.Code(err); code {
	case codes.Aborted, codes.AlreadyExists, codes.InvalidArgument:
		// Firestore's own text names the document.
		return fault.New(kindOf(err), "asking Firestore: %s", code)
	}
	return fault.New(kindOf(err), "asking Firestore: %w", err)
}

func kindOf(err error) fault.Kind {
	switch status.Code(err) {
	case codes.Aborted: // the client has run the transaction again, and it lost each time
		return fault.Conflict
	case codes.AlreadyExists:
		return fault.Conflict
	case codes.NotFound: // of a document we learn otherwise: it is the database
		return fault.Misconfigured
	case codes.FailedPrecondition: // an index is missing, or the database is of another mode
		return fault.Misconfigured
	case codes.PermissionDenied, codes.Unauthenticated:
		return fault.Denied
	case codes.Unimplemented:
		return fault.Misconfigured
	case codes.InvalidArgument, codes.OutOfRange:
		// Firestore says so of a transaction that took too long, or that committed while its answer was lost.
		if strings.Contains(status.Convert(err).Message(), "transaction") {
			return fault.Transient
		}
		return fault.Invalid
	}
	// Unavailable, DeadlineExceeded, ResourceExhausted, Internal, Unknown, and a cancelled context: what is not
	// known to be hopeless is delivered again, and ends in a dead letter where it was hopeless.
	return fault.Transient
}
