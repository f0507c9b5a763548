"""Operations of reviewers."""
