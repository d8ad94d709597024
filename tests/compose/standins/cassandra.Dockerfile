# Stand-in for cassandra: the jars of requirements/jars/cassandra.lock, at that image's place.
FROM fraudwatch-standin/java
COPY jars/cassandra /opt/cassandra/lib
USER 999
