#!/bin/bash
# Stand-in for Hadoop's own program `hdfs`: the two services and their options.
case $1 in
    namenode) main=org.apache.hadoop.hdfs.server.namenode.NameNode options=${HDFS_NAMENODE_OPTS:-} ;;
    datanode) main=org.apache.hadoop.hdfs.server.datanode.DataNode options=${HDFS_DATANODE_OPTS:-} ;;
    *) echo "the stand-in for hdfs has no '$1'; it has namenode and datanode" >&2; exit 2 ;;
esac
shift
exec "$JAVA_HOME/bin/java" @/opt/hadoop/jvm17.args "-Xmx${HADOOP_HEAPSIZE_MAX:-256m}" $options \
    -Dlog4j2.configurationFile=/opt/hadoop/etc/hadoop/log4j2.properties \
    -cp "$HADOOP_CONF_DIR:/opt/hadoop/share/*" "$main" "$@"
