package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"pukar/web/api"
)

// readLines reads a stream of JSON documents, one to a line, until it ends or take gives an error. A line with a
// problem ends it with that problem.
func readLines[T any](body io.Reader, problem func(*T) *api.Problem, take func(*T) error) error {
	decoder := json.NewDecoder(body)
	for {
		var line T
		if err := decoder.Decode(&line); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read the server's stream: %w", err)
		}
		if told := problem(&line); told != nil {
			return told
		}
		if err := take(&line); err != nil {
			return err
		}
	}
}
