package googledoor

import (
	"context"
	"errors"
	"net/http"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"

	"ostiary.internal/shared/platform/fault"
)

// MostWaits bounds how often one operation is asked about. The service holds each question until the operation is done or it
// must answer.
const MostWaits = 10

// Await waits until an operation of Compute Engine is done, which wait asks about by name. Errors are those of Explain, as if
// the request had been answered with them. Transient too: it is not done after MostWaits, or not known. A question that got no
// answer in its time is asked again: the service may hold one for longer than a request may take.
func Await(ctx context.Context, doing string, op *compute.Operation, wait func(ctx context.Context, name string) (*compute.Operation, error)) error {
	for n := 0; ; n++ {
		switch {
		case op == nil:
			return fault.New(fault.Transient, "%s: the answer is no operation", doing)
		case op.Status == "DONE":
			return Outcome(doing, op)
		case n == MostWaits:
			return fault.New(fault.Transient, "%s: not done yet", doing)
		}
		now, err := wait(ctx, op.Name)
		if silent(err) && ctx.Err() == nil {
			continue
		}
		if op = now; err != nil {
			return As(Explain(doing+": waiting for it", err), map[fault.Kind]fault.Kind{fault.NotFound: fault.Transient})
		}
	}
}

// silent reports whether err is of a question that nobody answered.
func silent(err error) bool {
	var api *googleapi.Error
	return err != nil && !errors.As(err, &api)
}

// Outcome is the error of an operation that is done. One that failed without saying how is Transient.
func Outcome(doing string, op *compute.Operation) error {
	if op.Error == nil && op.HttpErrorStatusCode < http.StatusBadRequest {
		return nil
	}
	failed := &googleapi.Error{Code: int(op.HttpErrorStatusCode)}
	if failed.Code < http.StatusBadRequest {
		failed.Code = http.StatusInternalServerError
	}
	if op.Error != nil {
		for _, e := range op.Error.Errors {
			if e != nil {
				failed.Errors = append(failed.Errors, googleapi.ErrorItem{Reason: e.Code})
			}
		}
	}
	return Explain(doing, failed)
}
