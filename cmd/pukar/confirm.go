package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// confirm lets a step that cannot be taken back pass only with --yes, or when a person at a terminal types the given
// word. what names the word for the question.
func (sh *shell) confirm(yes bool, warning, what, word string) error {
	if yes {
		return nil
	}
	if !terminal(sh.stdin) {
		return usage(errors.New("this cannot be taken back: give --yes"))
	}
	say(sh.stderr, "%s", warning)
	return sh.ask(what, word)
}

// ask has a person type a word.
func (sh *shell) ask(what, word string) error {
	_, _ = fmt.Fprintf(sh.stderr, "Type %s (%s) to go on: ", what, word)
	line, err := bufio.NewReader(sh.stdin).ReadString('\n')
	if typed := strings.TrimSpace(line); typed != word {
		if err != nil && typed == "" {
			_, _ = fmt.Fprintln(sh.stderr)
		}
		return errors.New("not confirmed: nothing was done")
	}
	return nil
}
