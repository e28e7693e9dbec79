package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

// checkReport holds a delivery report to the list: everybody once, delivered, and as many parts as the centre got.
func (t *trial) checkReport(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return t.readReport(bufio.NewReaderSize(file, 1<<18))
}

func (t *trial) readReport(r io.Reader) error {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return fmt.Errorf("read the report: %w", err)
	}
	columns := map[string]int{}
	for _, name := range []string{"msisdn", "outcome", "parts", "final_at"} {
		at := slices.Index(header, name)
		if at < 0 {
			return fmt.Errorf("read the report: no column %s", name)
		}
		columns[name] = at
	}
	owner := whose()
	seen := make([]bool, t.People)
	var found, parts, others, again, undelivered, undated int64
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the report: %w", err)
		}
		found++
		msisdn, _ := strconv.ParseInt(row[columns["msisdn"]], 10, 64)
		i, ok := owner(msisdn - 910_000_000_000)
		switch {
		case !ok || i >= t.People:
			others++
		case seen[i]:
			again++
		default:
			seen[i] = true
		}
		n, _ := strconv.ParseInt(row[columns["parts"]], 10, 64)
		parts += n
		if row[columns["outcome"]] != "delivered" {
			undelivered++
		}
		if row[columns["final_at"]] == "" {
			undated++
		}
	}
	t.equal("rows of the report", found, t.People)
	t.equal("parts in the report", parts, t.Parts)
	t.equal("numbers in the report that nobody has", others, 0)
	t.equal("people in the report again", again, 0)
	t.equal("rows of the report that are not delivered", undelivered, 0)
	t.equal("rows of the report without the time of the receipt", undated, 0)
	return nil
}
