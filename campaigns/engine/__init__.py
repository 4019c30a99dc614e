"""The publishing engine. A Delivery is the queue, Postgres holds the truth, Celery only wakes workers.

dispatch    claims what is due, returns what was lost, marks what is too late
publish     sends one claimed delivery, part by part
outcome     writes down what became of it
look_up     finds out whether an uncertain part is live
"""
