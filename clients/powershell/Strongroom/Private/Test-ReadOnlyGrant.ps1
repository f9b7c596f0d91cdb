function Test-ReadOnlyGrant {
    <#
    .SYNOPSIS
    Whether this server may only read a repository (an original). Refuses one that was not granted to it.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [pscustomobject] $Agent,

        [Parameter(Mandatory = $true)]
        [string] $BucketName
    )

    foreach ($dataset in $Agent.Datasets) {
        if ($dataset.repository -eq $BucketName) {
            return ($dataset.access -eq 'read')
        }
    }
    $granted = @($Agent.Datasets | ForEach-Object -Process { $_.repository }) -join ', '
    $wayOut = 'Ask whoever keeps the data set to grant this server access; it may take a minute to arrive here. '
    $wayOut += if ($granted) { "Granted are: $granted." } else { 'No data set is granted to this server now.' }
    throw (ConvertTo-DriveError -Id 'BucketNotGranted' -Category 'PermissionDenied' -Target $BucketName -Message (
            "This server was not granted $BucketName, or the grant was revoked or has ended.") -WayOut $wayOut)
}
