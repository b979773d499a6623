"""Names what a number may claim: every number of a release and every sentence of a report carries one of these."""

DESCRIBES = "describes"  # what people answered or what happened
ASSOCIATED = "associated with"  # two things go together; not why
CAUSAL = "causal under the printed assumptions"  # an observational estimate whose protocol holds
BY_DESIGN = "causal by design"  # a lottery, wait-list or stepped wedge that was drawn and logged
CLAIMS = (DESCRIBES, ASSOCIATED, CAUSAL, BY_DESIGN)
