# Stand-in for apache/kafka: the jars of requirements/jars/kafka.lock, at that image's place.
FROM fraudwatch-standin/java
COPY jars/kafka /opt/kafka/libs
USER 1000
