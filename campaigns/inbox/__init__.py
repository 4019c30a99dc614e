"""What other people write to a workspace's accounts: collected, read in closed words, answered by people."""
