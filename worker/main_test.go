package worker

import (
	"testing"

	"pukar/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }
