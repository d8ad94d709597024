# Stand-in for apache/hadoop: the jar of requirements/jars/hdfs.lock and those of the pyspark wheel,
# behind a program of the same name.
FROM fraudwatch-standin/java
# Hadoop asks the system for the name of its user.
RUN useradd --uid 1000 hadoop
COPY jars/hdfs jars/hdfs_from_wheel /opt/hadoop/share/
COPY hdfs/jvm17.args /opt/hadoop/jvm17.args
COPY hdfs/log4j2.properties /opt/hadoop/etc/hadoop/log4j2.properties
COPY hdfs.sh /opt/hadoop/bin/hdfs
USER 1000
