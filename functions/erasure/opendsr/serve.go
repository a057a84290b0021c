package opendsr

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"ostiary.internal/functions/internal/caller"
	"ostiary.internal/shared/erasure/opendsr"
	"ostiary.internal/shared/erasure/request"
	"ostiary.internal/shared/platform/fault"
	"ostiary.internal/shared/platform/web"
)

func denied() error {
	return fault.Refuse(fault.Denied, "caller_denied", "This service speaks for no customer.", "Name its tenant in services.yaml and publish the policy.")
}

// refused is an error as the specification writes it, in a problem document.
func refused(code, next string, e *opendsr.Error) error {
	kind := fault.Invalid
	if e.Status == http.StatusNotFound {
		kind = fault.NotFound
	}
	problem := fault.Refuse(kind, code, strings.ToUpper(e.Message[:1])+e.Message[1:]+".", next)
	problem.Status = e.Status
	return web.Extend(problem, map[string]any{"error": e.Document()})
}

func unknown() error {
	return refused("request_unknown", "Check the id: it is the one the request was made with.", opendsr.NotFound())
}

// answer writes a signed body.
func (s *processor) answer(ctx context.Context, w http.ResponseWriter, v opendsr.Version, status int, document any) error {
	signer, err := s.Signer(ctx)
	if err != nil {
		return caller.Refused(err)
	}
	body, err := opendsr.Bytes(document)
	if err != nil {
		return err
	}
	if err := signer.Sign(w.Header(), s.Random, v, body, s.Clock.Now()); err != nil {
		return caller.Refused(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}

func (s *processor) discovery(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := s.of(r); err != nil {
		return err
	}
	return s.answer(r.Context(), w, opendsr.V2, http.StatusOK, s.Discovery())
}

func (s *processor) certificate(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := s.of(r); err != nil {
		return err
	}
	signer, err := s.Signer(r.Context())
	if err != nil {
		return caller.Refused(err)
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, err = w.Write(signer.Chain)
	return err
}

// create takes an instruction. Nothing is kept of one that is refused.
func (s *processor) create(v opendsr.Version) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		tenant, hosts, err := s.of(r)
		if err != nil {
			return err
		}
		q, err := s.read(w, r, v)
		if err != nil {
			return err
		}
		for i, url := range q.Callbacks {
			if opendsr.CheckCallback(url, hosts) != nil {
				return refused("callback_refused", "Have the host agreed, or leave the URL out and ask for the status.", opendsr.ForeignCallback(i))
			}
		}
		made, state, err := s.instruct(r.Context(), tenant, v, q)
		if err != nil {
			return err
		}
		created := opendsr.Created{Controller: tenant, Expected: state.Expected, Received: made.Entered, Encoded: q.Encoded, ID: q.ID}
		if len(q.Unused) > 0 {
			created.Extensions = s.Extended(opendsr.Extension{Detail: string(request.Received), Unused: q.Unused})
		}
		return s.answer(r.Context(), w, v, http.StatusCreated, created)
	}
}

// read reads the body of an instruction.
func (s *processor) read(w http.ResponseWriter, r *http.Request, v opendsr.Version) (opendsr.Request, error) {
	// A member more than the specification's limit tells a body that is too large from one that is cut off.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, opendsr.MaxBytes+1))
	if _, large := errors.AsType[*http.MaxBytesError](err); err != nil && !large {
		return opendsr.Request{}, fault.Refuse(fault.Invalid, "body_invalid", "The body did not arrive whole.", "Send it again.")
	} else if large {
		body = make([]byte, opendsr.MaxBytes+1)
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || media != "application/json" || r.Header.Get("Content-Encoding") != "" || charset != "" && charset != "utf-8" && charset != "UTF-8" {
		return opendsr.Request{}, fault.Refuse(fault.Invalid, "body_invalid", "The body is not application/json in UTF-8, or it is compressed.", "Send plain JSON.")
	}
	q, err := opendsr.ParseRequest(body, v, s.Clock.Now(), s.types)
	var wrong *opendsr.Error
	if errors.As(err, &wrong) {
		code := "body_invalid"
		if wrong.Status == http.StatusRequestEntityTooLarge {
			code = "too_large"
		}
		return q, refused(code, "Correct what error.errors lists and send it again.", wrong)
	}
	return q, err
}

// instruct puts the instruction on record, and whom to tell of it.
func (s *processor) instruct(ctx context.Context, tenant string, v opendsr.Version, q opendsr.Request) (made request.Request, state opendsr.State, err error) {
	requests, err := s.Requests(ctx)
	if err != nil {
		return made, state, caller.Refused(err)
	}
	// Of an answer that cannot be signed the customer would believe nothing: then nothing is taken either.
	now := s.Clock.Now()
	if signer, err := s.Signer(ctx); err != nil {
		return made, state, caller.Refused(err)
	} else if err := signer.Valid(now); err != nil {
		return made, state, caller.Refused(err)
	}
	in := request.Instruction{Tenant: tenant, ID: q.ID, Digest: q.Digest, Submitted: q.Submitted}
	kinds := s.Map.Instructable()
	for _, one := range q.Identities {
		given := request.Identifier{Kind: kinds[one.Type].ID, Value: one.Value}
		if one.Format != opendsr.Raw {
			given.Format = string(one.Format)
		}
		in.Identifiers = append(in.Identifiers, given)
	}
	made, err = requests.Instruct(ctx, in, now)
	switch code := fault.CodeOf(err); {
	case code == "id_conflict":
		return made, state, refused(code, "Use a new id.", opendsr.IDConflict())
	case code == "identifier_invalid" || code == "body_invalid":
		return made, state, refused("body_invalid", "Correct it and send it again.", opendsr.Unusable())
	case err != nil:
		return made, state, caller.Refused(err)
	}
	if state, err = s.Taken(ctx, requests, made); err != nil {
		return made, state, caller.Refused(err)
	}
	desk, err := s.Callbacks(ctx, nil)
	if err == nil {
		known := state
		known.Status = opendsr.Pending // all that the answer says
		err = desk.Register(ctx, tenant, v, known, q.Callbacks, now)
	}
	return made, state, caller.Refused(err)
}

// find returns an instruction of the caller's own, and of no other.
func (s *processor) find(r *http.Request) (*request.Service, request.Request, error) {
	tenant, _, err := s.of(r)
	if err != nil {
		return nil, request.Request{}, err
	}
	id := r.PathValue("id")
	if !opendsr.ValidID(id) {
		return nil, request.Request{}, unknown()
	}
	requests, err := s.Requests(r.Context())
	if err != nil {
		return nil, request.Request{}, caller.Refused(err)
	}
	found, err := requests.Instructed(r.Context(), tenant, id)
	if fault.CodeOf(err) == "request_unknown" {
		return nil, found, unknown()
	}
	return requests, found, caller.Refused(err)
}

func (s *processor) status(v opendsr.Version) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		requests, found, err := s.find(r)
		if err != nil {
			return err
		}
		state, err := s.Standing(r.Context(), requests, found)
		if err != nil {
			return caller.Refused(err)
		}
		return s.answer(r.Context(), w, v, http.StatusOK, state)
	}
}

func (s *processor) cancel(v opendsr.Version) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		requests, found, err := s.find(r)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		if found.State != request.Cancelled || found.Why != request.Instructed { // taken back already
			err = countermand(r.Context(), requests, found, now)
		}
		if err != nil {
			return err
		}
		return s.answer(r.Context(), w, v, http.StatusAccepted, opendsr.Cancellation{Controller: found.Tenant, ID: found.External, Received: now, APIVersion: "2.0"})
	}
}

func countermand(ctx context.Context, requests *request.Service, found request.Request, now time.Time) error {
	late := refused("not_pending", "Ask how it stands.", opendsr.NotPending())
	if status, _ := found.Status(); status != opendsr.Pending {
		return late
	}
	_, err := requests.Countermand(ctx, found.Tenant, found.External, now)
	if code := fault.CodeOf(err); code == "too_late" || code == "state_conflict" {
		return late
	}
	return caller.Refused(err)
}

func (s *processor) receipt(w http.ResponseWriter, r *http.Request) error {
	requests, found, err := s.find(r)
	if err != nil {
		return err
	}
	if found, err = requests.Counting(r.Context(), found); err != nil {
		return caller.Refused(err)
	}
	book, err := s.Book(r.Context())
	if err != nil {
		return caller.Refused(err)
	}
	file, err := book.File(r.Context(), found.ID)
	if fault.Is(err, fault.NotFound) || err == nil && len(file) == 0 {
		return fault.Refuse(fault.NotFound, "receipt_missing", "There is no signed receipt yet.", "It is there soon after the first search that follows the erasing.")
	}
	if err != nil {
		return caller.Refused(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(file)
	return err
}
