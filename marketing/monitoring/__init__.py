"""How the product itself does: counted in each process, added up in Redis by the minute, judged once a minute."""
