package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"ostiary.internal/shared/platform/fault"
)

// kinds says what the server's answers mean, by code or by the class that its first two characters are (PostgreSQL
// documentation, appendix A).
var kinds = map[string]fault.Kind{
	"08":    fault.Transient,     // connection exception
	"0A":    fault.Invalid,       // feature not supported
	"22":    fault.Invalid,       // data exception: a value is not of the column's type
	"23":    fault.Invalid,       // integrity constraint violation: a row is referred to, a column takes no NULL
	"25":    fault.Misconfigured, // invalid transaction state: a server that only reads
	"25P03": fault.Transient,     // idle in transaction for too long
	"28":    fault.Denied,        // invalid authorization
	"3D":    fault.Misconfigured, // no such database
	"3F":    fault.NotFound,      // no such schema
	"40":    fault.Transient,     // rolled back: deadlock, serialization
	"42":    fault.Invalid,       // the statement does not fit the table
	"42501": fault.Denied,        // insufficient privilege, or rows hidden by row-level security
	"42P01": fault.NotFound,      // no such table
	"53":    fault.Exhausted,     // insufficient resources: connections, memory, disk
	"54":    fault.Invalid,       // program limit exceeded
	"55":    fault.Transient,     // not in the state asked for: a lock that is held
	"57":    fault.Transient,     // operator intervention: shutting down, statement timeout
	"58":    fault.Transient,     // system error
	"P0":    fault.Invalid,       // raised by a trigger
}

// explain gives err the kind that its cause says. Of what the server said it keeps the code: the words may quote a key
// or a value.
func explain(doing string, err error) error {
	if _, ours := errors.AsType[*fault.Error](err); ours || err == nil {
		return err
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		kind, known := kinds[answer.Code]
		if !known && len(answer.Code) == 5 {
			kind, known = kinds[answer.Code[:2]]
		}
		if !known {
			kind = fault.Transient
		}
		if answer.Code == "57014" {
			return fault.New(kind, "%s: stopped by the server after its time was over, or by a person (SQLSTATE 57014)", doing)
		}
		return fault.New(kind, "%s: the server answers SQLSTATE %s", doing, answer.Code)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fault.New(fault.Misconfigured, "%s: the server's certificate is not trusted", doing)
	}
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return fault.New(fault.Transient, "%s: %w", doing, cause)
		}
	}
	if refused, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fault.New(fault.Transient, "%s: connecting to %s: the server is out of reach", doing, refused.Config.Host)
	}
	return fault.New(fault.Transient, "%s: the connection ended", doing)
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
