package sign

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// maxSize is the largest log that can be spoken of.
const maxSize = 1<<62 - 1

// Checkpoint is the text of a checkpoint (C2SP tlog-checkpoint): the head of a log.
type Checkpoint struct {
	Origin string
	Size   int64 // leaves
	Root   [sha256.Size]byte
}

// Text is the checkpoint as it is signed.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads the text of a checkpoint, the part of the note that is signed. Lines behind the third are
// extensions that say nothing here. ErrMalformed for everything else.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] == "" || lines[len(lines)-1] != "" {
		return Checkpoint{}, malformed("a checkpoint has a line each for origin, size and root")
	}
	for _, extension := range lines[3 : len(lines)-1] {
		if extension == "" {
			return Checkpoint{}, malformed("a checkpoint has no empty line")
		}
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || size > maxSize || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, malformed("the size of a checkpoint is a whole number")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != sha256.Size {
		return Checkpoint{}, malformed("the root of a checkpoint is a hash of %d bytes in base64", sha256.Size)
	}
	return Checkpoint{lines[0], size, [sha256.Size]byte(root)}, nil
}
