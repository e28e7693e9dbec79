package testenv

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// Main is the TestMain of every package whose tests use a database, Redis or goroutines: it runs the tests, stops the
// servers that they caused to be started, fails when a goroutine is left over, and exits.
func Main(m *testing.M) {
	forgetSettings()
	goleak.VerifyTestMain(run{m},
		// database/sql keeps one goroutine per DB until Close has been noticed by the scheduler.
		goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener"),
		// net/http's idle keep-alive connections of the default client end by themselves.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	)
}

// forgetSettings takes the settings of an installation of the developer's own out of the environment: with PUKAR_HOME, tests
// would work in it.
func forgetSettings() {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "PUKAR_") && !strings.HasPrefix(name, "PUKAR_TEST_") && !strings.HasPrefix(name, "PUKAR_CHAOS_") {
			_ = os.Unsetenv(name)
		}
	}
}

// run runs the tests and then stops the servers, before goroutines are counted.
type run struct{ m *testing.M }

// Run returns the exit code of the tests.
func (r run) Run() int {
	code := r.m.Run()
	if err := shared.servers.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop test servers:", err)
		return max(code, 1)
	}
	return code
}
