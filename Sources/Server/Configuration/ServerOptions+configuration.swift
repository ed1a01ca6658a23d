extension ServerOptions {
    /// Takes over whatever the configuration sets.
    package mutating func apply(_ configuration: Configuration) {
        if let listen = configuration.listen {
            host = listen.host
            port = listen.port
        }
        dataFolder = configuration.data ?? dataFolder
        rules = configuration.rules ?? rules
        policies = configuration.policies ?? policies
        sources = configuration.sources ?? sources
        trustedProxies = configuration.trustedProxies ?? trustedProxies
        playbooks = configuration.playbooks ?? playbooks
        outsidePlaybooks = configuration.outsidePlaybooks ?? outsidePlaybooks
        archive = configuration.archive ?? archive
        receivers = configuration.receivers ?? receivers
        response = configuration.response ?? response
        hosts = configuration.hosts ?? hosts
        systemLogs = configuration.systemLogs ?? systemLogs
        uploadFolders = configuration.uploadFolders ?? uploadFolders
        isBehindTLS = configuration.isBehindTLS ?? isBehindTLS
        secondFactorRoles = configuration.secondFactorRoles ?? secondFactorRoles
        isBehindProxy = configuration.isBehindProxy ?? isBehindProxy
        provider = configuration.provider ?? provider
    }
}
