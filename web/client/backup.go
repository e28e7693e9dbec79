package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Backup writes a backup of the whole installation to w. What was written is whole only if backup.Check says so.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: "/v1/backup"})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(w, bufio.NewReaderSize(resp.Body, 256<<10)); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the backup broke off: the server's log says why")
		}
		return fmt.Errorf("read the backup: %w", err)
	}
	return nil
}
