package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
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
		v.hold(name, c)
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
	return nil
}

// hold takes a checkpoint that the log has to extend. Two of one size that differ need no log to prove that there are
// two; one of a longer log needs none either.
func (v *verifier) hold(name string, c sign.Verified) {
	shown, known := v.shown[c.Size]
	if !known {
		v.shown[c.Size] = c.Root
	} else if shown != c.Root {
		v.fail(failure(checkpointsForked, name, fmt.Errorf("size %d", c.Size)))
	}
	if c.Size > v.head.Size {
		v.fail(failure(tailCut, name, nil))
		return
	}
	v.earlier = append(v.earlier, earlier{name, c.Size, tlog.Hash(c.Root)})
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
		if err := v.noted(v.openProof(ctx, name)); err != nil {
			return err
		}
	}
	return nil
}

// maxProof is the largest proof file in bytes: a checkpoint, 64 hashes, and what is written beside them.
const maxProof = sign.MaxNote + 8<<10

// proofForm is a proof up to its checkpoint (C2SP tlog-proof): each hash in its one spelling, and no extra line.
var proofForm = regexp.MustCompile(`\Ac2sp\.org/tlog-proof@v1\nindex (0|[1-9][0-9]{0,18})\n((?:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\n)*)\n`)

// openProof learns whose proof a file is, and by which checkpoint: the log has to extend that one too.
func (v *verifier) openProof(ctx context.Context, name string) error {
	text, err := v.src.Read(ctx, name, maxProof)
	if err != nil {
		return asFailure(err, name, proofMalformed, proofMalformed)
	}
	form := proofForm.FindSubmatch(text)
	if form == nil || bytes.Count(form[2], []byte("\n")) > maxPath {
		f := failure(proofMalformed, name, errors.New("not of the form of a proof"))
		return &f
	}
	c, err := open(v.options.Trust, text[len(form[0]):], name)
	if err != nil {
		return err
	}
	if c.Checkpoint != v.head.Checkpoint {
		v.hold(name, c)
	}
	index, err := strconv.ParseInt(string(form[1]), 10, 64)
	if err != nil || index >= min(c.Size, v.head.Size) {
		f := failure(proofDiffers, name, errors.New("the log has no such record"))
		return &f
	}
	v.proofs[index] = append(v.proofs[index], name)
	return nil
}

// maxPath is how many hashes lead from a leaf to the root of the largest tree.
const maxPath = 64

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

// checkProofs opens the proofs of one leaf.
func (v *verifier) checkProofs(ctx context.Context, index int64, leaf []byte) error {
	for _, name := range v.proofs[index] {
		file, err := v.src.Read(ctx, name, maxProof)
		if err != nil {
			return asFailure(err, name, proofMalformed, proofMalformed)
		}
		if _, _, err := log.OpenProof(file, leaf, v.options.Trust); err != nil {
			v.fail(failure(proofDiffers, name, nil))
			continue
		}
		v.report.Proofs++
	}
	return nil
}
