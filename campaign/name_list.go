package campaign

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// nameList is names written as a list, or as one text with commas.
type nameList []string

// UnmarshalYAML takes [national, BR] and "national, BR".
func (l *nameList) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return node.Decode((*[]string)(l))
	}
	var one string
	if node.Kind != yaml.ScalarNode || node.Decode(&one) != nil {
		return fmt.Errorf("line %d: write names as [national, BR]", node.Line)
	}
	*l = nameList{one}
	return nil
}
