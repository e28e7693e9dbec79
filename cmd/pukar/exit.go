package main

import (
	"errors"
	"os"

	"pukar/internal/backup"
	"pukar/internal/embedded"
	"pukar/internal/pgdb"
	"pukar/web"
	"pukar/web/api"
	"pukar/web/client"
)

// Exit statuses: scripts rely on them.
const (
	exitOK          = 0
	exitFailed      = 1 // it did not work: a bad file, a refused change, a mistake of the program
	exitUsage       = 2 // the command line is wrong
	exitNotFound    = 3 // nothing is known by that name
	exitConflict    = 4 // the present state does not permit it
	exitUnavailable = 5 // something that is needed is away: the server, PostgreSQL, Redis, a bind
)

// usageError is a command line that does not make sense.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(err error) error { return &usageError{err} }

// quietError ends the program with a status when everything was said already.
type quietError struct{ code int }

func (e *quietError) Error() string { return "" }

// exitCode is the one table from errors to exit statuses.
func exitCode(err error) int {
	var problem *api.Problem
	var misuse *usageError
	var quiet *quietError
	var held *embedded.HeldError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &quiet):
		return quiet.code
	case errors.As(err, &misuse):
		return exitUsage
	case errors.As(err, &problem):
		return codeOfProblem(problem.Code)
	case aboutFile(err), errors.Is(err, backup.ErrNotABackup):
		return exitFailed
	case errors.Is(err, client.ErrNoServer), pgdb.Unavailable(err):
		return exitUnavailable
	case errors.Is(err, embedded.ErrNotInstalled):
		return exitUnavailable
	case errors.Is(err, web.ErrSocketBusy), errors.As(err, &held), errors.Is(err, backup.ErrNotEmpty), errors.Is(err, backup.ErrUnfinished):
		return exitConflict
	}
	return exitFailed
}

func codeOfProblem(code string) int {
	switch code {
	case api.CodeNotFound:
		return exitNotFound
	case api.CodeConflict, api.CodeSuppressed, api.CodeNoConsent, api.CodeConsentUnknown, api.CodeUnder18, api.CodeInvented:
		return exitConflict
	case api.CodeUnavailable, api.CodeBusy:
		return exitUnavailable
	}
	return exitFailed
}

// aboutFile says whether a file is the matter. An errno passes for a network error otherwise.
func aboutFile(err error) bool {
	var path *os.PathError
	var link *os.LinkError
	return errors.As(err, &path) || errors.As(err, &link)
}
