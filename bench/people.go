package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strconv"

	"pukar/internal/sample"
)

// maxPeople keeps the list of numbers that a report is held to small.
const maxPeople = 50_000_000

// The people's numbers are scattered over numberCount numbers from firstNumber on. Numbers in order would be kinder to an
// index than those of real lists are.
const (
	firstNumber = 7_000_000_000
	numberCount = 900_000_000
	numberStep  = 618_033_989 // no divisor in common with numberCount, so that no number comes twice
)

// number is the number of person i, ten digits.
func number(i int64) int64 { return firstNumber + i*numberStep%numberCount }

// person is whose number this is, the inverse of number; false for one that is nobody's.
type person func(number int64) (i int64, ok bool)

func whose() person {
	inverse := new(big.Int).ModInverse(big.NewInt(numberStep), big.NewInt(numberCount)).Int64()
	return func(number int64) (int64, bool) {
		at := number - firstNumber
		if at < 0 || at >= numberCount {
			return 0, false
		}
		return at * inverse % numberCount, true
	}
}

// writePeople writes the file that is imported: n sample people, mended so that every one of them can be written to.
func writePeople(path string, n int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, writer := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := sample.WriteContacts(writer, n, 1)
		_ = writer.CloseWithError(err)
		written <- err
	}()
	out := bufio.NewWriterSize(file, 1<<18)
	err = mendPeople(out, reader)
	_ = reader.CloseWithError(err)
	return errors.Join(err, <-written, out.Flush(), file.Close())
}

// mendPeople copies sample people line by line and mends what would leave one of them out: a number that is none or another's,
// a repeated row, a person under age, a refusal of messages. What else is dirty stays as it is in real lists.
func mendPeople(w io.Writer, r io.Reader) error {
	columns := bytes.Split([]byte(sample.Header), []byte(","))
	column := func(name string) int {
		return slices.IndexFunc(columns, func(c []byte) bool { return string(c) == name })
	}
	id, msisdn, age, consent := column("source_id"), column("msisdn"), column("age"), column("consent_sms")
	lines := bufio.NewScanner(r)
	fields := make([][]byte, 0, len(columns))
	var line []byte
	for i := int64(-1); lines.Scan(); i++ {
		if i < 0 {
			line = append(append(line[:0], lines.Bytes()...), '\n')
		} else {
			fields = fields[:0]
			for field := range bytes.SplitSeq(lines.Bytes(), []byte(",")) {
				fields = append(fields, field)
			}
			if len(fields) != len(columns) {
				return fmt.Errorf("sample person %d has %d fields for %d columns", i+1, len(fields), len(columns))
			}
			fields[id] = strconv.AppendInt([]byte("B"), i+1, 10)
			fields[msisdn] = strconv.AppendInt(nil, number(i), 10)
			if n, err := strconv.Atoi(string(fields[age])); err == nil && n < 18 {
				fields[age] = []byte("18")
			}
			if string(fields[consent]) == "no" {
				fields[consent] = []byte("yes")
			}
			line = line[:0]
			for k, field := range fields {
				if k > 0 {
					line = append(line, ',')
				}
				line = append(line, field...)
			}
			line = append(line, '\n')
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return lines.Err()
}
