package verify

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"ostiary.internal/shared/evidence/log"
	"ostiary.internal/shared/evidence/record"
	"ostiary.internal/shared/evidence/sign"
	"ostiary.internal/shared/platform/fault"
)

// sinceName stands for the checkpoint the reader kept.
const sinceName = "--since"

// openEarlier reads the checkpoints the log has to extend: those of the bundle, and the one the reader kept.
func (v *verifier) openEarlier(ctx context.Context) error {
	take := func(name string, signed []byte) error {
		c, err := open(v.options.Trust, signed, name)
		if err != nil {
			return err
		}
		v.earlier = append(v.earlier, earlier{name, c.Size, tlog.Hash(c.Root)})
		return nil
	}
	if v.options.Since != nil {
		if err := take(sinceName, v.options.Since); err != nil {
			return err
		}
	}
	names, err := v.list(ctx, earlierFolder)
	if err != nil {
		return err
	}
	for _, name := range names {
		signed, err := v.src.Read(ctx, name, sign.MaxNote)
		if err != nil {
			return asFailure(err, name, checkpointMissing, checkpointMalformed)
		}
		if err := take(name, signed); err != nil {
			return err
		}
	}
	slices.SortStableFunc(v.earlier, func(a, b earlier) int { return cmp.Compare(a.size, b.size) })
	return nil
}

// list returns the paths of the files in one of the folders.
func (v *verifier) list(ctx context.Context, folder string) ([]string, error) {
	names, err := v.src.List(ctx, folder)
	if err != nil {
		return nil, asFailure(err, folder, bundleMalformed, bundleMalformed)
	}
	for i, name := range names {
		if !safeName(name) {
			f := failure(bundleMalformed, folder, errors.New("a name is not allowed"))
			return nil, &f
		}
		names[i] = folder + "/" + name
	}
	return names, nil
}

// openExtras learns which payloads and proofs there are.
func (v *verifier) openExtras(ctx context.Context) error {
	payloads, err := v.list(ctx, payloadFolder)
	if err != nil {
		return err
	}
	v.payloads = map[string]bool{}
	for _, name := range payloads {
		if !strings.HasSuffix(name, saltSuffix) {
			v.payloads[strings.TrimPrefix(name, payloadFolder+"/")] = true
		}
	}
	proofs, err := v.list(ctx, proofFolder)
	if err != nil {
		return err
	}
	v.proofs = map[int64][]string{}
	for _, name := range proofs {
		if !strings.HasSuffix(name, proofSuffix) {
			continue
		}
		text, err := v.src.Read(ctx, name, maxProof)
		if err != nil {
			return asFailure(err, name, proofMalformed, proofMalformed)
		}
		found := indexLine.FindSubmatch(text)
		if found == nil {
			v.fail(failure(proofMalformed, name, errors.New("no index")))
			continue
		}
		index, err := strconv.ParseInt(string(found[1]), 10, 64)
		if err != nil || index >= v.head.Size {
			v.fail(failure(proofDiffers, name, errors.New("the log has no such record")))
			continue
		}
		v.proofs[index] = append(v.proofs[index], name)
	}
	return nil
}

// checkPayload compares a payload with what its record commits to. The same record a second time is no fault.
func (v *verifier) checkPayload(ctx context.Context, r record.Record) error {
	if len(v.payloads) == 0 || !v.payloads[r.ID()] {
		return nil
	}
	id := r.ID()
	name := payloadFolder + "/" + id
	delete(v.payloads, id)
	data, err := v.src.Read(ctx, name, maxPayload)
	if err != nil {
		return asFailure(err, name, payloadDiffers, payloadDiffers)
	}
	made := record.Digest(data)
	if strings.HasPrefix(r.Payload.C, "hmac:") {
		salt, err := v.src.Read(ctx, name+saltSuffix, maxSalt)
		if fault.Is(err, fault.NotFound) {
			v.fail(failure(saltMissing, name, nil))
			return nil
		}
		if err != nil {
			return asFailure(err, name+saltSuffix, saltMissing, payloadDiffers)
		}
		made = record.Commitment(salt, "payload", string(data))
	}
	if made != r.Payload.C || int64(len(data)) != r.Payload.Bytes {
		v.fail(failure(payloadDiffers, name, nil))
		return nil
	}
	v.report.Payloads++
	return nil
}

// maxProof is the largest proof file in bytes: a checkpoint, 64 hashes, and what is written beside them.
const maxProof = sign.MaxNote + 8<<10

// indexLine says whose proof a file is; log.OpenProof reads the file when its record is there.
var indexLine = regexp.MustCompile(`\A[^\n]*\nindex ([0-9]{1,18})\n`)

// checkProofs opens the proofs of one leaf.
func (v *verifier) checkProofs(ctx context.Context, index int64, leaf []byte) error {
	for _, name := range v.proofs[index] {
		file, err := v.src.Read(ctx, name, maxProof)
		if err != nil {
			return asFailure(err, name, proofMalformed, proofMalformed)
		}
		_, _, err = log.OpenProof(file, leaf, v.options.Trust)
		switch {
		case err == nil:
			v.report.Proofs++
		case fault.Is(err, fault.Conflict):
			v.fail(failure(proofDiffers, name, nil))
		case errors.Is(err, sign.ErrSignature):
			v.fail(failure(signatureBad, name, nil))
		case errors.Is(err, sign.ErrUntrusted):
			v.fail(failure(keyUntrusted, name, nil))
		default:
			v.fail(failure(proofMalformed, name, err))
		}
	}
	return nil
}
