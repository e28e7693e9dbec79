package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pukar/web/api"
)

func (sh *shell) audienceCommands() *cobra.Command {
	return group("audience", "The people: import, count, preview, explain",
		"The register of people: read lists into it, and see whom a rule picks before a campaign uses it.",
		sh.audienceImport(), sh.audienceCount(), sh.audiencePreview(), sh.audienceExplain())
}

// cohortFlags adds the flags that pick people.
func cohortFlags(flags *pflag.FlagSet, cohort *api.Cohort) {
	flags.StringVar(&cohort.Scheme, "scheme", "", "scheme whose rule judges people: bocw, eshram, onorc, pmsym")
	flags.StringVar(&cohort.Eligibility, "eligibility", "", "whom of them a campaign would take: eligible (default), unknown or both")
	flags.StringSliceVar(&cohort.Home, "home", nil, "home states or districts, as BR,JH/Ranchi")
	flags.StringSliceVar(&cohort.Language, "language", nil, "languages, as hi,bn")
	flags.StringVar(&cohort.Where, "where", "", "rule in CEL, as \"age >= 18 && occupation == 'construction'\"")
	flags.BoolVar(&cohort.All, "all", false, "everybody")
}

func (sh *shell) audienceCount() *cobra.Command {
	var cohort api.Cohort
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "count",
		Short: "Count the people that a rule picks",
		Long: `Counts people. Home and language narrow; scheme and rule then judge each person as eligible, not eligible, or unknown
where too little is known to say.`,
		Example: `  pukar audience count --scheme onorc --home BR
  pukar audience count --where "age >= 18 && occupation == 'construction'" --json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			caller := sh.client()
			defer caller.Close()
			n, err := caller.Count(cmd.Context(), cohort)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, n)
			}
			return pairs(sh.stdout,
				[2]string{"targeted", count(n.Count)}, [2]string{"eligible", count(n.Eligible)},
				[2]string{"not eligible", count(n.NotEligible)}, [2]string{"unknown", count(n.Unknown)})
		},
	}
	cohortFlags(cmd.Flags(), &cohort)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: count, eligible, not_eligible, unknown")
	return cmd
}

func (sh *shell) audiencePreview() *cobra.Command {
	var ask api.PreviewRequest
	var asJSON, numbers bool
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Show some of the people that a rule picks",
		Example: `  pukar audience preview --scheme bocw --home "JH/Ranchi" --limit 50
  pukar audience preview --all --numbers --json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if numbers {
				ask.Numbers = "full"
			}
			caller := sh.client()
			defer caller.Close()
			preview, err := caller.Preview(cmd.Context(), ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, preview)
			}
			if len(preview.People) == 0 {
				say(sh.stdout, "Nobody.")
				return nil
			}
			rows := make([][]string, len(preview.People))
			for i, p := range preview.People {
				rows[i] = []string{p.MSISDN, p.Name, p.Language, p.HomeState, p.HomeDistrict, p.Eligibility, p.Why}
			}
			return printTable(sh.stdout, []column{
				left("number"), left("name"), left("language"), left("state"), left("district"), left("eligibility"), left("because"),
			}, rows)
		},
	}
	cohortFlags(cmd.Flags(), &ask.Cohort)
	cmd.Flags().IntVar(&ask.Limit, "limit", 20, "how many people, 1000 at most")
	cmd.Flags().BoolVar(&numbers, "numbers", false, "show whole numbers (local administrator only)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (sh *shell) audienceExplain() *cobra.Command {
	var ask api.ExplainRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain NUMBER",
		Short: "Say, condition by condition, how a rule judges one person",
		Example: `  pukar audience explain 9812345678 --scheme onorc --home BR
  pukar audience explain 9812345678 --where "age >= 18"`,
		Args: takes("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ask.MSISDN = args[0]
			caller := sh.client()
			defer caller.Close()
			explanation, err := caller.Explain(cmd.Context(), ask)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(sh.stdout, explanation)
			}
			for _, p := range explanation.People {
				picked := "not picked"
				if p.Targeted {
					picked = "picked"
				}
				say(sh.stdout, "%s %s: %s, %s", p.MSISDN, p.Name, p.Eligibility, picked)
				rows := make([][]string, len(p.Clauses))
				for i, c := range p.Clauses {
					rows[i] = []string{c.Answer, c.EN, c.Why}
				}
				if err := printTable(sh.stdout, []column{left("answer"), left("condition"), left("because")}, rows); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cohortFlags(cmd.Flags(), &ask.Cohort)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
