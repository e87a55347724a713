"""What runs propose: territory by territory and account by account, compared with each other, accepted into drafts."""
