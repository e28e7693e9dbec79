package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// scalar is a leaf of the settings as it was written. A layer is a tree of map[string]any, []any and scalar. The
// fields are exported for koanf, which copies trees by reflection.
type scalar struct {
	Text   string
	Quoted bool
	Where  string
}

// maxDepth and maxNodes bound what aliases could make endless or vast.
const (
	maxDepth = 16
	maxNodes = 100_000
)

// yamlParser is koanf's parser for our file. It keeps scalars as written, with their line, and refuses a key that
// stands twice in one mapping.
type yamlParser struct {
	file  string
	nodes int // how many were read
}

// Unmarshal reads a document into a tree.
func (p *yamlParser) Unmarshal(text []byte) (map[string]any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", p.file, err)
	}
	if len(document.Content) == 0 {
		return map[string]any{}, nil
	}
	tree, err := p.tree(document.Content[0], 0)
	if err != nil {
		return nil, err
	}
	switch t := tree.(type) {
	case map[string]any:
		return t, nil
	case nil:
		return map[string]any{}, nil
	}
	return nil, fmt.Errorf("%s: a mapping of keys to values is expected", p.file)
}

// Marshal is asked for by koanf's interface; settings are only ever read.
func (*yamlParser) Marshal(map[string]any) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// tree converts a node; nil stands for a key without a value, which counts as not given.
func (p *yamlParser) tree(n *yaml.Node, depth int) (any, error) {
	where := p.file
	if n.Line > 0 {
		where += ":" + strconv.Itoa(n.Line)
	}
	if p.nodes++; depth > maxDepth || p.nodes > maxNodes {
		return nil, fmt.Errorf("%s: nested too deeply or too large", where)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return p.tree(n.Alias, depth+1)
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return nil, nil
		}
		quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		return scalar{Text: n.Value, Quoted: quoted, Where: where}, nil
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			v, err := p.tree(item, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		seen := make(map[string]bool, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if seen[key.Value] {
				return nil, fmt.Errorf("%s:%d: key %s is given twice: keep one", p.file, key.Line, key.Value)
			}
			seen[key.Value] = true
			v, err := p.tree(n.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			if v != nil {
				m[key.Value] = v
			}
		}
		return m, nil
	}
	return nil, fmt.Errorf("%s: unreadable YAML", where)
}

// layer is a tree that koanf can load as it is.
type layer map[string]any

// Read returns the tree.
func (l layer) Read() (map[string]any, error) { return l, nil }

// ReadBytes is asked for by koanf's interface; a layer has no text.
func (layer) ReadBytes() ([]byte, error) { return nil, errors.ErrUnsupported }

// fromText reads a value given on one line, in an environment variable or a flag: YAML where it begins like a list or
// mapping, else a list separated by commas where the key takes one, else the text itself.
func fromText(text, where string, list bool) (any, error) {
	trimmed := strings.TrimSpace(text)
	if list && strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "- ") {
		var document yaml.Node
		if err := yaml.Unmarshal([]byte(trimmed), &document); err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		return (&yamlParser{file: where}).tree(document.Content[0], 0)
	}
	if !list {
		return scalar{Text: text, Quoted: true, Where: where}, nil
	}
	items := []any{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, scalar{Text: item, Quoted: true, Where: where})
		}
	}
	return items, nil
}

// fromGo reads a flag's value.
func fromGo(value any, where string, list bool) (any, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return fromText(v, where, list)
	case Secret:
		return scalar{Text: v.Reveal(), Quoted: true, Where: where}, nil
	case time.Duration:
		return scalar{Text: v.String(), Where: where}, nil
	case []string:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = scalar{Text: item, Quoted: true, Where: where}
		}
		return items, nil
	case bool, int, int64, float64:
		return scalar{Text: fmt.Sprint(v), Where: where}, nil
	}
	return nil, fmt.Errorf("%s: a value of type %T cannot be read", where, value)
}

// fileName shortens a path for messages.
func fileName(path string) string { return filepath.Base(path) }
