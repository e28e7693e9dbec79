package pgdb

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Unavailable reports whether err means that PostgreSQL cannot be reached or cannot serve at the moment, so that the
// same call may succeed later and a command should end with the exit code for a missing dependency. A refused password
// or an unknown database is not that: waiting does not mend it. Neither is a cancelled or expired context, which says
// nothing about the server.
func Unavailable(err error) bool {
	if err == nil {
		return false
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return unavailableCode(server.Code)
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var network net.Error
	return errors.As(err, &network) ||
		errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF)
}

// unavailableCode knows the SQLSTATE classes of PostgreSQL's appendix A that describe the server and not the
// statement: 08 connection exceptions, 53 insufficient resources, 58 system errors, and of class 57 the shutdowns.
func unavailableCode(code string) bool {
	switch code {
	case "57P01", "57P02", "57P03", "57P05":
		return true
	}
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "58")
}

// Retryable reports whether the same transaction may succeed when it is tried again: the server was away, ended the
// session because it had been idle within the transaction, or sacrificed it to a deadlock or a conflict.
func Retryable(err error) bool {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code {
		case "25P03", "40001", "40P01":
			return true
		}
	}
	return Unavailable(err)
}
