package erasure

import (
	"encoding/base64"
	"encoding/json"
)

// Cursor writes where a walk stands as a Page's Next. mark is a struct of text, bytes and numbers.
func Cursor(mark any) string {
	b, err := json.Marshal(mark)
	if err != nil { // what a mark is made of always can be
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ReadCursor reads what Cursor wrote; "" is the beginning, and leaves mark as it is.
func ReadCursor(cursor string, mark any) error {
	if cursor == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, mark)
}
