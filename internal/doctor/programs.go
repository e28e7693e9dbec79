package doctor

import (
	"context"

	"pukar/internal/embedded"
)

// examinePrograms looks for the programs of the servers that are to be private.
func examinePrograms(_ context.Context, i *installation) []Check {
	var checks []Check
	if i.privatePostgres() {
		checks = append(checks, judgePrograms("postgres", "PostgreSQL", i.postgres))
	}
	if i.privateRedis() {
		checks = append(checks, judgePrograms("redis", "Redis", i.redisOwn))
	}
	return checks
}

func judgePrograms(name, server string, p embedded.Private) Check {
	switch {
	case p.Missing != nil:
		return problem(name, "install it, or name a server of yours in the configuration", "%v", p.Missing)
	case p.Version > 0:
		return ok(name, "%s %d in %s", server, p.Version, p.Programs)
	}
	return ok(name, "%s at %s", server, p.Programs)
}
