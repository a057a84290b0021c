package firestore

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"ostiary.internal/shared/platform/fault"
)

// classify gives an error of the client its kind; nil stays nil. Codes and their meaning:
// https://cloud.google.com/firestore/docs/understand-error-codes
//
// Firestore's own text may name a document, or a field that is somebody's identifier; it is kept only where it is
// about the connection or the caller.
func classify(doing string, err error) error {
	if err == nil {
		return nil
	}
	code := status.Code(err)
	kind := fault.Transient // what is not known to be hopeless is tried again
	switch code {
	case codes.ResourceExhausted:
		return &fault.Error{Kind: fault.Exhausted, RetryAfter: wait(err), Err: fault.New(fault.Exhausted, "%s Firestore: %s", doing, code)}
	case codes.PermissionDenied, codes.Unauthenticated:
		return fault.New(fault.Denied, "%s Firestore: %w", doing, err)
	case codes.NotFound: // of a document we learn otherwise: it is the database
		kind = fault.NotFound
	case codes.InvalidArgument, codes.OutOfRange:
		kind = fault.Invalid
	case codes.FailedPrecondition, codes.Unimplemented: // an index is missing, or the database is of another mode
		kind = fault.Misconfigured
	case codes.Aborted:
		kind = fault.Conflict
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return fault.New(fault.Transient, "%s Firestore: %w", doing, err)
	}
	return fault.New(kind, "%s Firestore: %s", doing, code)
}

// wait is when the server says to come back, or 0.
func wait(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(interface{ GetRetryDelay() *durationpb.Duration }); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}
