package audience

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// ErrRule is matched by every error that a rule itself is the cause of.
var ErrRule = errors.New("invalid rule")

// RuleError says what is wrong with a rule, where, and how to mend it.
type RuleError struct {
	Rule   string // the whole rule as written
	Line   int    // 1-based
	Column int    // 1-based, in characters
	Reason string // what is wrong and the mend
}

// Error returns the place and the reason; the rule is added when it is short.
func (e *RuleError) Error() string {
	where := fmt.Sprintf("column %d", e.Column)
	if e.Line > 1 {
		where = fmt.Sprintf("line %d, column %d", e.Line, e.Column)
	}
	if len(e.Rule) <= 120 && !strings.Contains(e.Rule, "\n") {
		return fmt.Sprintf("rule %q: %s: %s", e.Rule, where, e.Reason)
	}
	return fmt.Sprintf("rule: %s: %s", where, e.Reason)
}

// Is reports that every RuleError is an ErrRule.
func (e *RuleError) Is(target error) bool { return target == ErrRule }

var (
	overloadPattern = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '([^']*)'`)
	mismatchPattern = regexp.MustCompile(`^expected type '([^']+)' but found '([^']+)'`)
	wrongAnd        = regexp.MustCompile(`(?i)\b(and|or|not)\b`)
	wrongEquals     = regexp.MustCompile(`[^=!<>]=[^=]`)
)

// plainReason turns a message of the CEL parser or checker into one that names
// the mend in the words of a campaign file.
func plainReason(message, rule string) string {
	if m := overloadPattern.FindStringSubmatch(message); m != nil {
		return overloadReason(operatorText(m[1]), m[2])
	}
	if m := mismatchPattern.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("this is %s where %s is needed", typeText(m[2]), typeText(m[1]))
	}
	if strings.HasPrefix(message, "Syntax error") {
		outside := withoutStrings(rule)
		switch {
		case wrongEquals.MatchString(outside):
			return "cannot be read: write == to compare"
		case wrongAnd.MatchString(outside):
			return "cannot be read: write && for and, || for or, ! for not"
		}
		text, _, _ := strings.Cut(strings.TrimPrefix(message, "Syntax error: "), " expecting ")
		return "cannot be read: " + text
	}
	return message
}

func overloadReason(operator, operands string) string {
	types := strings.Split(strings.NewReplacer("(", "", ")", "", " ", "").Replace(strings.ReplaceAll(operands, ".(", ",")), ",")
	for i, t := range types {
		types[i] = typeText(t)
	}
	reason := fmt.Sprintf("%s does not take %s", operator, strings.Join(types, " and "))
	switch {
	case strings.Contains(operands, "null"):
		return reason + ": ask whether a field is known with known(field)"
	case strings.Contains(operands, "double"):
		return reason + ": numbers are whole here, write 18 and not 18.0"
	case strings.Contains(operands, "string") && strings.Contains(operands, "int"):
		return reason + ": write text in quotes and numbers without; a place's code is text"
	}
	return reason
}

func typeText(t string) string {
	switch t {
	case "int", "uint":
		return "a number"
	case "double":
		return "a fraction"
	case "string":
		return "a text"
	case "bool":
		return "a yes/no"
	case "null", "null_type":
		return "null"
	}
	if strings.HasPrefix(t, "list") {
		return "a list"
	}
	if strings.HasPrefix(t, "map") {
		return "the attributes as a whole"
	}
	return t
}

// withoutStrings blanks what stands in quotes.
func withoutStrings(rule string) string {
	var b strings.Builder
	quote := rune(0)
	for _, r := range rule {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			b.WriteByte(' ')
		case r == '\'' || r == '"':
			quote = r
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
